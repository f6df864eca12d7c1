"""Model bundles: graphs, half precision, parity, model cards."""
