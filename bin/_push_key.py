"""Print a new key to sign pushes with (VAPID, RFC 8292): the number of a P-256 key in base64url."""

from base64 import urlsafe_b64encode

from cryptography.hazmat.primitives.asymmetric import ec

number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
print(urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode())
