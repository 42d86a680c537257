"""What all dynamic resources share in the plugin process: errors, progress, secrets, and the record of one run."""
