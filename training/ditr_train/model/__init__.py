"""The networks: one backbone that is PTv3 or LitePT, DITR's injection, and a small image encoder."""
