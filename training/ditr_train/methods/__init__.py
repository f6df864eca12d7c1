"""What is learned, and by which loss."""
