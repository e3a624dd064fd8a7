"""Who bears the errors: the audit, the board's policy, the gate and the signatures."""
