"""What containers run: the image, the processes of the Procfile, and whether one is alive."""
