TABLE = "customer"
