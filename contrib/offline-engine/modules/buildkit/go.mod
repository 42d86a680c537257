module foundry-agents/tools/engine/buildkit

go 1.26.0

require github.com/moby/buildkit v0.31.0
