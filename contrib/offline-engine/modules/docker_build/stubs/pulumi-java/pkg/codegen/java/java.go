// Package java is what the schema of a provider says to the generator of Java code, which is not run here.
package java

// PackageInfo has the fields that pulumi-docker-build fills in.
type PackageInfo struct {
	BuildFiles                      string
	GradleNexusPublishPluginVersion string
	Dependencies                    map[string]string
}
