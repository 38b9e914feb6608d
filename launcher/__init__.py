"""What bin/* run: set the environment up, start the services and the Procfile, stop them again.

Standard library only: the first part of it runs before anything is installed.
"""
