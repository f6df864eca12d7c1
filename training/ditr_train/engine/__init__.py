"""What every training needs: the loop, its schedule, run folders, weights to start from."""
