"""What the channels' tests share."""

import base64

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
