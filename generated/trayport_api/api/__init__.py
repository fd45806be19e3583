# Generated from openapi/. Do not edit: run ./codegen.sh.

"""Contains methods for accessing the API"""
