"""One file for each family of architectures: its rows of the table and the functions that build them."""
