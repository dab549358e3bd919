"""An independent S3 client of the tests."""

import boto3
import botocore.config


def s3_client(server, endpoint=None, access_key=None, secret_key=None):
    """A client of an Rgw or SeaweedFS, perhaps through another endpoint or as
    another user. It does not retry: a test sees what the server did."""
    return boto3.client(
        "s3", endpoint_url=endpoint or server.endpoint,
        region_name=server.region,
        aws_access_key_id=access_key or server.access_key,
        aws_secret_access_key=secret_key or server.secret_key,
        config=botocore.config.Config(
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            retries={"max_attempts": 1}))
