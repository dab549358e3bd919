"""An independent S3 client of the tests."""

import boto3
import botocore.config


def s3_client(server, endpoint=None):
    """A client of an Rgw or SeaweedFS, perhaps through another endpoint. It
    does not retry: a test sees what the server did."""
    return boto3.client(
        "s3", endpoint_url=endpoint or server.endpoint,
        region_name=server.region,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        config=botocore.config.Config(
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            retries={"max_attempts": 1}))
