"""Every call of the API as a value; a client carries it out."""
