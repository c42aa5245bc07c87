"""Telling people: started beside every command that has something to tell, and by hand."""
