"""What stands around an approval: ledger, audit record, sealed decisions, revocations, changes of trust."""
