"""How good a network is: confusion, mean intersection over union."""
