"""First contact: what real responses say about the OpenAPI document."""
