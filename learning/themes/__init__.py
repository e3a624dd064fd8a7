"""What learning reviews say together, once a term: themes, missed signals and late help, without names or schools."""
