"""Whether it helped, and where help is needed first: places, counted so that no pupil comes out."""
