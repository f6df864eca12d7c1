"""The commands of ditr-train, one file each: arguments and printing."""
