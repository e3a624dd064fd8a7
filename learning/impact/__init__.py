"""Does the flag help: pupils just above the cut-off beside pupils just below it, and what may be concluded."""
