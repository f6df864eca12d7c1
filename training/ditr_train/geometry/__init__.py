"""A scan's geometry: voxels and tables, and which image patch a point falls in; the node does the same."""
