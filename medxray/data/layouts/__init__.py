"""How datasets lie on disk: class folders, Kermany, CSV, MedMNIST; their labels; the manifest made of them."""
