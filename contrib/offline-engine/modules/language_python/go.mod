module foundry-agents/tools/engine/language-python

go 1.21

require github.com/pulumi/pulumi/sdk/v3 v3.79.0

replace github.com/atotto/clipboard => github.com/tgummerer/clipboard v0.0.0-20241001131231-d02d263e614e
