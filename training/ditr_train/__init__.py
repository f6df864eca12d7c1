"""Training of point cloud segmentation with camera features (DITR) and its image-free form (D-DITR)."""
