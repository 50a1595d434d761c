"""What tests share that build wheels through real frontends."""
