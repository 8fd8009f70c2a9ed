"""How datasets lie on disk: class folders, Kermany, CSV; their labels; the manifest made of them."""
