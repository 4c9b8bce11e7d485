"""Is the pseudo-label right, where do the two spaces disagree, does the indicator find what it should?"""
