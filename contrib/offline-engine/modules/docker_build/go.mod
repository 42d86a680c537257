module foundry-agents/tools/engine/docker-build

go 1.26.0

require github.com/pulumi/pulumi-docker-build v0.0.22

// What only the schema's metadata needs, for languages that are not built here; the real modules can't be had.
replace (
	github.com/pulumi/pulumi-dotnet/pulumi-language-dotnet/v3 => ./stubs/pulumi-dotnet
	github.com/pulumi/pulumi-java => ./stubs/pulumi-java
)

replace github.com/atotto/clipboard => github.com/tgummerer/clipboard v0.0.0-20241001131231-d02d263e614e
