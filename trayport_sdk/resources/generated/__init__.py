"""Generated from openapi/. Do not edit: run ./codegen.sh."""
