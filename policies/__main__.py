from foundry_policies import serve

serve()
