"""The commands of `belong`, by the floor they work on."""
