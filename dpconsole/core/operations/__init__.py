"""What an operator may do: one registry of verbs, each planned before it acts and entered in the ledger after."""
