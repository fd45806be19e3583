# Generated from openapi/. Do not edit: run ./codegen.sh.

"""Contains endpoint functions for accessing the API"""
