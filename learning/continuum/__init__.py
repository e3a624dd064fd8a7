"""Every way in which a pupil can be out of lessons, watched together, so that none can fall by moving elsewhere."""
