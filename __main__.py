from stacks.program import deploy

deploy()
