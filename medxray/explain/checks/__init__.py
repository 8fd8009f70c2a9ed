"""How far the maps of explanation methods can be trusted."""
