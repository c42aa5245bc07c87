"""The generated pages, one function each: text made of what the code says."""
