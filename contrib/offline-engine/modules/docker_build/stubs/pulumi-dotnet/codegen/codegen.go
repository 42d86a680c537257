// Package codegen is what the schema of a provider says to the generator of .NET code, which is not run here.
package codegen

// CSharpPackageInfo has the fields that pulumi-docker-build fills in.
type CSharpPackageInfo struct {
	RespectSchemaVersion bool
	PackageReferences    map[string]string
}
