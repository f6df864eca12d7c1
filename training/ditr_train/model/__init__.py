"""The 3D networks: one backbone that is PTv3 or LitePT, DITR's injection, and where they compute."""
