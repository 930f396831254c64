//! Keysets: calls, value rules, and what they refuse.

use super::*;

/// Self-signed, RSA 2048, CN=contoso.example, 2026 to 2046.
const CERTIFICATE: &str = "MIIDFTCCAf2gAwIBAgIUY2g5aAnbYBGArv6XLXB5LzUOT5gwDQYJKoZIhvcNAQELBQAwGjEYMBYGA1UEAwwPY29udG9z\
     by5leGFtcGxlMB4XDTI2MTEyMTAzMzg0NFoXDTQ2MTExNjAzMzg0NFowGjEYMBYGA1UEAwwPY29udG9zby5leGFtcGxl\
     MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAy1J1snma8rUfsb1/eWm0k7HG4wvmjWARkQV0vUl8a1jHLTCj\
     hI6DyxZqiAGSmDdCsmx/kueLStDTmCjad3FZbhuR0JVdso83QNYSaprYDbS1pX3AWdfGbSaqbbsPQYPaSfvvRjqcCDef\
     EmbFOD0bZuDhAHcL610idVZw8Y2mEMSeQReJjiysRmlxn2irSV4pRXRunnY0TusmZFTJ4yD5K81wnrm36vjZy5KG/ZTO\
     z7Mkga/CYVvY45Xyhy/mlX2vYgBZn58AfMD71Dou3rjjF823OLAR5LLBHYXYzH3Ihto+HhVKgccqpebHbTFxAReYQSMF\
     9AWiM2cDSnC8FK6ATQIDAQABo1MwUTAdBgNVHQ4EFgQUh7s82bdOaG8EzoXMqxBJ0eW8daAwHwYDVR0jBBgwFoAUh7s8\
     2bdOaG8EzoXMqxBJ0eW8daAwDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOCAQEAg10LHvOL+26xjUJd9gN2\
     g+ucFXiDnydYDDzOhnOYS6FP1SvrwzsZBQ89E+wn5psLX6N19BlUxcUVP3MlqcJgz7pOMdoxva8VxBeVylH/J7GJNnwJ\
     3UvSAkUp4SL052r+lJVpkYLEwMHJrcGersffvaXONx+1Jp+xQ3m7jNgVQ1fUPPzfC9YvpnH39FvDLCs11OouI6hp7h6z\
     8OPzD5fyUgoauJqaHwSpjqoCe1EWuep/AwxatzpYdoTWC7HS153bvXSkMHphBKuhx4jD9uKCPGEpHtOMxIk3y/Sh2K7o\
     CToo5kjoYrgHPMUZsetqKaaJkeD6Yf7gmnqRYaEWvI3bhA==";
/// Its SHA-1 thumbprint in base64url.
const THUMBPRINT: &str = "HJXJ9DruCEU25yRgxiZPEA8-tSM";
/// Self-signed with an elliptic curve key.
const EC_CERTIFICATE: &str = "MIIBbTCCAROgAwIBAgIUIMYw0wUm5WWBo1gjAXL2KlvwxjAwCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBeDAeFw0yNjEx\
     MjEwMzM4NDRaFw00NjExMTYwMzM4NDRaMAwxCjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQgKam6\
     MFj0Xo/LlVmvwuIX4iq7m3PYBCCnF3tO7FI8qvRpoNfHU/bnExPC+4zs3jnO8N5mZfDXsNMBPKPK1KT0o1MwUTAdBgNV\
     HQ4EFgQU3qZp0wErC488pg9THg3AbVd2CfUwHwYDVR0jBBgwFoAU3qZp0wErC488pg9THg3AbVd2CfUwDwYDVR0TAQH/\
     BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEA+zz0+AAm9lcm3bfTHJu2Bv6nGp2NhS4Ra0hfLKx+3+kCIBRyYH1t8lCO\
     aXNx8NTP4JRYNWGbtpoa5IQOKTvhbrql";
const PASSWORD: &str = "pässword";
/// Key and certificate with triple DES, MAC with SHA-1.
const PFX_OLD: &str = "MIIJWQIBAzCCCR8GCSqGSIb3DQEHAaCCCRAEggkMMIIJCDCCA78GCSqGSIb3DQEHBqCCA7AwggOsAgEAMIIDpQYJKoZI\
     hvcNAQcBMBwGCiqGSIb3DQEMAQMwDgQIe6SRoMOsBzYCAggAgIIDeBbe4CTGaYrv+VzLEUfMwDCpYcMIi9tKKOsf6aPG\
     F0oTlEp9Olt3R5G7iyieEzBFDZb2ML1OtqWD4Z/fDySi0/jNNYmNdT7C+t9Z77uEjdo8PXekmGRY1XGQ/tDZaTceurPM\
     jCwUgEfJ35a5kGQDN8jKFEbAErVVTlnaWjatn+2X1lozsPtOoMfV/RTSGIkCe4tPVBBlcAWV2TkNmOVjMHbiQPFe4KQf\
     0xEiU7gnsCTau78n2GLxbcPCfKjFoEHugp7W54eCpRH/M6ny5ToweZJcHRg4BfZs19SG5ukZVRMF0oWnt7WK9dBvcC48\
     OYHXkXUD7WPTcOkSNJ64xXk5GhxuWvwjbM34cqElKu9Kbm71FPnfeNwTw4HN2UAIm1DUZOvQf/ESG2OEnn+0bVJKzN42\
     M80aSGXHe2cT9Gr8pREHWDKJVCHYrWV5lqWI7JDdpnysDaSo3qOhDiKsAzB7+Oum/Irhkcqk4BU5oufsyKDeBZSoNrFP\
     8rgaB24k5hrZZqeRErmPuuiM/l0+30fZb+9LMJYZPsXfDEO/to02qcPCSyOXgSh+jv4/LQL9IgVhG9CxIKnwHEDAzafd\
     cAMegLgu61W3pxVhM2L0RkPd984Kfet8dv7VTwm/FrKRaNrL4yRmRQO+RYvaok6/xbrXyGiuRLki/lmiUYwtC4KG6Dwy\
     SDy28DL5QXZui8T/QbrCwYdmMkGGHH9w0Xc8NylCHpHsi5dv4yG15nEXcG0dVPGadibXE3/LvzoWNZstFAnOgPcYAd8T\
     lukcwwvpB2il8IgYdM6mWm5ulcCrmwGjClCMw+irJOm32Kx3JxDbd/OdS1k4faw+YVn6wHHOaE9RtDPoABkA578g6APR\
     e9X0Pb4JwodmSwNTYGdD5H30WM2QwOACOQ7OTtR0Lm0EBw4T9e0PPMy32kH6/RttWgt/qb1xBxWP84tjyVGc046yGHlS\
     GcV95Rr9ir+awUy2mLlNHXxig9j1UGzaRJc9Mm6EqR/vtf8AWhNsgoQYNQmLOo4ZoPwrD4pnuU5vlUh6ym7VbKg+Dl+N\
     nqCjBY8vZ3WPxf+kogdZZDLUNk3BG0yb7tHhvDRJ+P4gD7UwKrHp3i5xUQ6F4ivOShfLAfztjmlOFiA7fg1S/cTOK5xn\
     WYnubwOGNz5rKGNtOfxy2HvtubZQOXj6YqfwAdsRjDCCBUEGCSqGSIb3DQEHAaCCBTIEggUuMIIFKjCCBSYGCyqGSIb3\
     DQEMCgECoIIE7jCCBOowHAYKKoZIhvcNAQwBAzAOBAiIL4coS+uVBgICCAAEggTI69C0473EQcL2sEvicwWLXJA0evaA\
     L/bjK/Tn2fJQBv7Z+bShjuZTg6E0Akz6ov0CmHg2XyQBypbTpu0yTEE6XYLnim/eGIbIRkaF//CohW/Q40hiHY9Geh57\
     2AHR/VY6f8LBFGkrRSRAkz9CdWVcMrhJCWiGT7oAJduRDE0YGuw3Tcebhk/ZKvth3Jp7mHOdRlejVBKIvo9/ghsiLugC\
     mdQXbcWPCec4efjy+M7lgFkTavKhuvvejOk4JZ6/mBYyy0YuHdD/cjsN3JdH5cbu6HLqVso58sREbNYz8seNz4041zWl\
     myvlJV+dQTFkdBEDi0yJdIE7sLrhzUNJGqb5rgFA0Se1PzZn556BqqjMvtaEVTCfGHfqYsX2qOqRPZs4gKiIkS3x5M/a\
     62/3o/rJlLVg75QAQ6ty3vXC7E9BlH+kILebeimBjcUYZikkdQhvFpgDBdzrQjoR6yGXBL4y3QFOjf8+p8lUQz/3SDTR\
     ySyEdl14GyXA4PJnbRDxKeAz2HzjBaqHdkyuc4slJrHX9sW7jRh4RBHqgEHsfzGSqOuLl0T4cxM+R+9hVKhTaNf0GiRF\
     ufgOpZGwxlxTFU/7LmQRbipbyd1cEySJlgaC/TOV4eVgPlGyXIlPv9gYRgNaoc5EkE9ZLQHPNKR4mFhmzYq6ASpgstgw\
     y9kzQSVH+eSC0FCO246E/DWsiPaNQpdVN33gAA2Xa1BMp5aulUp80/QxU2ZutVq7WZXuJBc6YnPMUs7ITwjz5HxqXrm+\
     FJcKaJfjghrksK1p+IiO/+67e6HQ9I3lTXTGOx4DuovbpRGIoEPqfrtF51BHkw7/Cfw/SQRntwlfxub0jTK3qr5ZzAxI\
     nmFTSjBYzPab6sDXDpiePoDIsXFuJFQIXbJF2BEG0e8N9Xs2iJb09G6rr27qmJzJf2NRUTeDu+0Ucetboh7f/b6amNqO\
     rURvn3mj3iVb+F79nORrczSZyuoE2iZTQRWTsd1366ktZfMUb/VBbkvHgRfIkfBk3TVySCIVD6j1QEMPzLYcuw43RmKS\
     CxKI0IJxd0S81xulkDk9Vybu17JlUeHMjztqjSEY59LlRupCmc2TRCjvGR7f3yX8Z+Hd3IJNkEL1GE7/pZEE68EXGLfu\
     8V1/fVOvwB276ZL3PmATwQEvOA1u1ff3wp+ZSYEiLYqGkQerRTmepIVldpSTdpTSbjOGNNnfKA14DiWKks4XrSm2Bngm\
     86pEx4xAV+0YRMfkQjVJk2XD1HuhPe0N6ESelOMqKNJc/DY0msiLIZzczPBDNULAmoQLNtK7kwXpQkC46a1Fv0pV+tb8\
     JXpDsB6imt7o5q3Vx8B8753GLXP24qSCxoffcVYp/8PXfjU13rnzGlMcNY/9NR5aG3o4MO8S42+qsyW9Davt3wBrYsNM\
     rU9TngJGAIeg8tRWNcRCC5iWGaKbzlaLDxFrP6WqYriVwAOR+N4h+XkgSFjLI68dRM73z/8j4Ei2bHbPnE2nEnfHxHR0\
     2dd+ZMCwPRF3u14JzgSPq+p1ECF8NwoB49BZ+jumzq03jx17kQTm8IMNYJRSqKrikKVWRm++O6iC/YFL26O4RKMWygmJ\
     FYLGA+1v0VYt06n3cI3Oc0tB1goudlWGz+DgkjmgMSUwIwYJKoZIhvcNAQkVMRYEFByVyfQ67ghFNuckYMYmTxAPPrUj\
     MDEwITAJBgUrDgMCGgUABBSzBT51mJbulNptUMtzifwtZNBe7QQI39lC2xlv8Q0CAggA";
/// Key with triple DES, certificate in the clear, MAC with SHA-1.
const PFX_OPEN: &str = "MIIJHgIBAzCCCOQGCSqGSIb3DQEHAaCCCNUEggjRMIIIzTCCA4QGCSqGSIb3DQEHAaCCA3UEggNxMIIDbTCCA2kGCyqG\
     SIb3DQEMCgEDoIIDMTCCAy0GCiqGSIb3DQEJFgGgggMdBIIDGTCCAxUwggH9oAMCAQICFGNoOWgJ22ARgK7+ly1weS81\
     Dk+YMA0GCSqGSIb3DQEBCwUAMBoxGDAWBgNVBAMMD2NvbnRvc28uZXhhbXBsZTAeFw0yNjExMjEwMzM4NDRaFw00NjEx\
     MTYwMzM4NDRaMBoxGDAWBgNVBAMMD2NvbnRvc28uZXhhbXBsZTCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEB\
     AMtSdbJ5mvK1H7G9f3lptJOxxuML5o1gEZEFdL1JfGtYxy0wo4SOg8sWaogBkpg3QrJsf5Lni0rQ05go2ndxWW4bkdCV\
     XbKPN0DWEmqa2A20taV9wFnXxm0mqm27D0GD2kn770Y6nAg3nxJmxTg9G2bg4QB3C+tdInVWcPGNphDEnkEXiY4srEZp\
     cZ9oq0leKUV0bp52NE7rJmRUyeMg+SvNcJ65t+r42cuShv2Uzs+zJIGvwmFb2OOV8ocv5pV9r2IAWZ+fAHzA+9Q6Lt64\
     4xfNtziwEeSywR2F2Mx9yIbaPh4VSoHHKqXmx20xcQEXmEEjBfQFojNnA0pwvBSugE0CAwEAAaNTMFEwHQYDVR0OBBYE\
     FIe7PNm3TmhvBM6FzKsQSdHlvHWgMB8GA1UdIwQYMBaAFIe7PNm3TmhvBM6FzKsQSdHlvHWgMA8GA1UdEwEB/wQFMAMB\
     Af8wDQYJKoZIhvcNAQELBQADggEBAINdCx7zi/tusY1CXfYDdoPrnBV4g58nWAw8zoZzmEuhT9Ur68M7GQUPPRPsJ+ab\
     C1+jdfQZVMXFFT9zJanCYM+6TjHaMb2vFcQXlcpR/yexiTZ8Cd1L0gJFKeEi9Odq/pSVaZGCxMDBya3Bnq7H372lzjcf\
     tSafsUN5u4zYFUNX1Dz83wvWL6Zx9/RbwywrNdTqLiOoae4es/Dj8w+X8lIKGriamh8EqY6qAntRFrnqfwMMWrc6WHaE\
     1gux0ted2710pDB6YQSroceIw/bigjxhKR7TjMSJN8v0odiu6Ak6KOZI6GK4BzzFGbHraimmiZHg+mH+4Jp6kWGhFryN\
     24QxJTAjBgkqhkiG9w0BCRUxFgQUHJXJ9DruCEU25yRgxiZPEA8+tSMwggVBBgkqhkiG9w0BBwGgggUyBIIFLjCCBSow\
     ggUmBgsqhkiG9w0BDAoBAqCCBO4wggTqMBwGCiqGSIb3DQEMAQMwDgQIg3nSylwNz4ACAggABIIEyECAM3aLRrXJG8ou\
     iy8eouOSvq9gdseBk/EifsXx1nozOIScDdVxd0nthUtCKAPpoaYAxF7tANPFbU5y2b01Fe2o7x4xM+W6sBgzhQLFBAK2\
     6cwXwhdRKGIMM0oyasBSjgHOoSweyucSNmF+joz5nxRr2z0ytnu1mEq5E49c3lAR5X5zHWVGf9seHUbwOPOOGuJGGvlu\
     fYxNgWmtyreQIY9QC6mniFYKs5d76MAdNL/wPwBoBxOb+HWcEUfyaGM0eWBquQWgrfTZVvzoY1oY9H3aIT2BQKZesxnP\
     Qst5UdODnaonlO0ngER5U8rAwfEPvu1d0TDopaYtKxjcWrpohLa1eqFILsoXv6N5H4ydGNleHJory+XVgN7THrDwOFrp\
     pyLzxRcyQ8u+BqfuAOT0FKY/qCsu5lvnY0gh5wdhFGxPeHNEqiI3RwFroPqJBhUFJ0PqDJWG56BtZBSrMid87E/q9YRM\
     +0mLN6Qt6ZRV4m1jqih6RThXmq1NPj6Z4nw7vxuDLdkg/Baa/RG/3w4SsWiGZypL7J3663W7f1dQZl1lGOJvKr8vt2rS\
     2k0IQGMgE1X4oj5IhLbPx1Zh1qt/VAMZKDwHscGOp0//8r/FkLUBzeEm6XjrTAiaspp3lwM1ZnrdSu76BM/rzh5aeytP\
     0oHQyi/tkOzbSm6jHcy00i7xuFiy97vF3uLufqqxlod0tLJY2Swc4HskR4fAtYPKYkBfvv4izKaq+Kx47eRu8nYvFfbZ\
     29UxK95N7+eZ17JpaunXkopOCcN8nKThbtEYzt8quF0vr1iGbfTdyJMBIfrAoamaqu82NUrfcb//7LOQFf0tkXeuQeOv\
     C01tsFqmdXUtCyUkd7ta8/jflkEyDw5aZ9ZK3tf1D7hjhtDgY0c371hVWjd3IkFVKpWH1DLklGztX8GL/ggg/I6idxZN\
     riSTj+oQPUGa8WLcY/5+oVg9MJqS/4/QxQ2CPA7+6vK64o38/LFLJU6dvNpWdh4iD1nknpqr0E15md99IrkzQh+lJwoq\
     WYnp+LZP/KWofP74Q07q4ANLK4ozsSuhmxDBYtgeuy+kOUgqF7kvtx99/adgaWTF8XaZ+sfN8jaBIx67BPMnNA8pIB1p\
     zVQ73x1pwGTp3Yvt/FKy2QiJXpzZtkp8M2eIOF2Mp40QTVdqNI/hVk4olDnL6SJPzARtfHvZ+NWGPTkRy0pUqI7a+pyn\
     1lrILf+Hxmn+rL8NCfwVfvqKS8CG6T755LlqXGWaExFeji9qER/4e7sVDheg+RhJAkf7m6o3R6bSvN5+3I+5yi6uyct0\
     0cARu5LV4nlqohEDLiOlXZAoY8LPLjvI9oc40k0H6OvBSb6CBNH0PG9o2AGdE7x+XpQqdAx7heQFQm/erk5a7kIqo8do\
     APJwmylgMlc/EEh89SkMFiREst0fnaPFTNU494EGS27H1610Y+rAHCGCEZ0m+Cc7vqhuE7kJ3xun4992eydLYZD8gtRZ\
     nVNKG2Qancy2QsGdFazQ7lhSIY+iNaIOXKtUVz7G90tyV06GXfjZc8rd4U12PcDLwl8ty5HDjDsVQKPJkTwjoLk8LSsT\
     oy/GFU1h+bg0O2YyoZzcxjkohHWcdx7EYIGW7A8nZC3I4bB6rJBKDzElMCMGCSqGSIb3DQEJFTEWBBQclcn0Ou4IRTbn\
     JGDGJk8QDz61IzAxMCEwCQYFKw4DAhoFAAQUj1Om/VKexI3g1iXHwhooxtC5peIECKYRomqOYXtSAgIIAA==";
/// Key and certificate with AES-256, MAC with SHA-256: what tools of today make by default.
const PFX_AES: &str = "MIIJ7wIBAzCCCaUGCSqGSIb3DQEHAaCCCZYEggmSMIIJjjCCBAIGCSqGSIb3DQEHBqCCA/MwggPvAgEAMIID6AYJKoZI\
     hvcNAQcBMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAg8aKgLwNAI0gICCAAwDAYIKoZIhvcNAgkFADAdBglg\
     hkgBZQMEASoEEBmYMaGCS50kCvFU1bne9VyAggOApTIJL/vJCIeVwocER+ABRbqJzc0Y1EPn3C/N0pRjCL4T14pSranI\
     AbSUuRtGImbVoJRcQNZvz7+rAjMwqMYYv+la6QJxsGHCCnVP26t9+SjZ949x6KE3OgzfIFUwIttVMut57c2YBX3wlMwi\
     vKqOdkASvLo9dNyYTz6OcmgXuSR49Jk9CoO1wDO7LWxFLKhKHI5ZEoO7vvby9pdPt1WhXoFXKynHkXAeCmJ83ZLJ+oVi\
     FOcTpJFJbY8yJyZyVLCtF/G+yROTnXyRrEF6L6KhHvM16wq+NDKGxOVk//YVza+GAatopU8tWrwtE5nFKFU599VoeMDk\
     JY+yPelxhqr8FuBjo/pJpm4AzWkGfEaZS9wATgWMwTmDsBD1J4qZNYKYmXjAGGsB96+xY4z1eLVVT5G8GRg+PVadvBDW\
     CWBfRp5UJGRuFil/4sE3d5HJdqDeIaUzS7g85fS8BzJ/o0imKYSEy9ewj3TuCbe/MZpOLJyOADg22BkgzFLGuYNmL9Mf\
     OmoWgNtZ4RAwH3UC6ijHhyfWERoSE4NTqKO9uKxJy5UGPat8Qe2kQd0vakRpMUmSPyTPlxGTJbpfqcetRiLva7tm7b+q\
     a1pkx06UtQsHoj464CTgpHI+fYqIMXKyt3f0V7wnqpWxFCkpTbIF+Wd/aNaThALRrUiaEBbOMHEQiiWWyb9iXQnnUlnM\
     xGPTvDRHDRRg8diX1ByBWuCVZApgr2C7Z+F8U7s+npOtwS/i9TQIX4iCS/IpW/7mBFp3ar2/9yojNL75SbOaHpzo8v0+\
     fos+T7kJK6a3dayb+OFZCgOKy1bhbsys1VdGegGS/mt5bcuk2DYsrcBV58jScu6uU+RuPMn74acO+RyvqGst2CqmVyxv\
     1I/u7UGm02MwlcUXMCxUV/PByJnBbMkIno6wlGhgsvQstmp/bNJSNL3G3acTpPkyGtAElQd/wl8DhhfoYa6D1RVeRDeE\
     dtyJKSR60qlKAsJ3Qn5dsdCMPoAE9XmIqLvzzALq28xS+BaCfDvCN/qfYQwxFRvR2TzaajavLnGukqXYojLrodtWF9AW\
     osO7vQUhBoaSiP2i7bmrCUIXcP8z5ivW/HZdCyVenH/51pRLCyfx5dZ2+VPCYNaCWWheOj3Ok3fMNBgv8n+didHcmfUl\
     kt+jg5aydDkhZP2DOv9Rgv5o9egmkttIXJ67/bcwggWEBgkqhkiG9w0BBwGgggV1BIIFcTCCBW0wggVpBgsqhkiG9w0B\
     DAoBAqCCBTEwggUtMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAji7tmQZUmwjgICCAAwDAYIKoZIhvcNAgkF\
     ADAdBglghkgBZQMEASoEEEbe/O3vFgbyBFZiVkDW+gkEggTQjsn8OIR2Frz3TOUR1hXAZBpfxyNLSWz7l47KuiOdrNjQ\
     JG7Tk/IZVIe3+ulo9pNFUhllfrGu8XoYfMcHsNnEsc99BKLYDRM7aEEKRA9aMF2lTJnnMFtWh4OoWn57m+n3NUZqcKRu\
     WsU+rXJe9PbV/C7IIUBu8SECuKD4yXbEaUbxpyU+5JDNoAatW1Gmcd+vW88znr662POHhE1je9qOCgqyHx8DEalrGZr3\
     YITOUN0+1pV3kflRrO9h7dp+1d2knr5TbzRRteVcX4awS//cb6h5ozw4dEVmHH+YKm9CV62Ql5r0cPC7fzjFJAVXynmu\
     11toGvIjjLV2Dv0ugu6WRkMOXyJa2nFVrPlBjabzfF6buRrV/ro6TBdommX0L1tVUPxW0Q06UyePOOiLo9I/BJvhVs1O\
     9uC1bdBNvNJSJrfd/2nvNBAdIMbXaXS7Z6F3vpROKojX5DthGQKA4Bq5WJuYsog47E6P9f6+aZbk5TTM3PF49D1kilFv\
     3VaoV/YX7OfoAPwIywURAikl2LtrbJAmms9QeAHNACpEafKff+dTf+3RkQ3E64+GIZhTls13Eut1LWYdTzZSznNQkpWM\
     qd/Aq2XUSyiWVyRvlmkA6usAAUe0isrhw0GjHwHFTjunzux5y38Hc07LaQtzBzNbThWClqJ07dZ7f8AZPidepb38ifs2\
     oVR1dIy98SR9isUbkrtaauyU6FANkHcgAe3SCE4W1GcDDsqFaAC8FhnEGqC6k+XL2HwUto67REiOBE2UGn2VnmVs3+vF\
     7AGXppcrWGOfIoXRjNEKV/vDgDT3lvZb7hH1loq/2MG9OwcwMnJHQdhrVyy+ANirRXdQkWSuH8kkhydYndJs0L/Oq8/W\
     tU9I4emouPObXCdhjcfVrzSevsNGD0LB0y7nzPnoUgy/cScrgkug0rGDHfJ8UyzydzAYgeO+XwrDU5b4G4b8xyMy6K/q\
     EaZMIpEk1CKKmo1cE2dgHbkLq61PlMQLDgpQ+px0je0GeSwVjpE28jQfijK8OX/HMkSbobNZ0+Wb8yL3WDh7ZNSB+Nrd\
     K2byCRRsywCapDOk2APggjBe1ZxAGzFzYxz/PjNHR49n3fw+kpXued67ZCYRvLSQKD73TOZdRw/i4D6HfT9kGhL6G2UQ\
     PTNoDT+1m69Vj2Ihpy5qGk/O9w7/0Hxm5vrXWWly5k1Wwc6oWiIzga3RzCf5AtSMy/V+eEKZ8FIywC6oNhI5SksuddkG\
     0x8JB0gDl3s4D9xQDtMxoLcAEemhNUDYa12SV3IySuXDkv1xXxNmHvgAGt3skV0zGGuyVSoMdRa3pXMN0yucMp3cDkQa\
     lBoecN07anhHVqfR2hq6c3caPH51OwYwGFay9bAMD3xABmccnI/1RvBqWkIS8rV4JjqVmaVz2w3EBfRTPa/IK4sDksdU\
     +eECcxOZ1akPkY72O++BwQj5RgCcnOqe3i2A0oSW+/gvFd0zcWCxI6FKfNA6unYEq8X/uF4fzJCgt+l7cb+AUEy6QsYr\
     5wW3Jop+EfVQa/7oRV61/PlrBTI6eos+s1z3+eyu+LPLFcYgQFEg1RQqN1VEAbPGv/wzCN2Cnrm6ebmWSpwVvpI7ZvDF\
     cy99HE66Bcgs5TWVLjthDVnaPZKH0VCYArgxJTAjBgkqhkiG9w0BCRUxFgQUHJXJ9DruCEU25yRgxiZPEA8+tSMwQTAx\
     MA0GCWCGSAFlAwQCAQUABCCfj1NGe/iATtStgBFHN2qJ5HC0Ga6v45TMzLlt2+ZQJgQIEKUkILhHkBICAggA";
/// Triple DES, but the MAC with SHA-256.
const PFX_SHA256: &str = "MIIJaQIBAzCCCR8GCSqGSIb3DQEHAaCCCRAEggkMMIIJCDCCA78GCSqGSIb3DQEHBqCCA7AwggOsAgEAMIIDpQYJKoZI\
     hvcNAQcBMBwGCiqGSIb3DQEMAQMwDgQIWsX9/uqWwYACAggAgIIDeDN8VoEPRc2ofn6XR3onwug7DkNRaW7O6V8H0aRy\
     zGUTRx1cHsKekC6TfBt4AjI8Zz5RwxbgIORfCpUICHyzBIEYWsQ2P5hLc9KS0qzZTGS9pyQFVFYVis92SLdeZ4zhtbZU\
     uaq+MohdsXuUiMOp6M7z3QVJaNTggxWu1CU+jaPD7Ap7r5+gGEplLBZ+iQSfNtdnOiZZl3tpQnjDcUfAv8j8ctL6y0M6\
     BtMkIFTOYw+uC3k7oMIkWPO+XYoEX9hQgnNgCzgObCc9JxR7myCbfBpfiM9U8unoXLyaq0vEegTlndyd5GcNs9mvXUig\
     I+Qt0scDGUZue02WKcUscceiICIOkyJQEuGQsMHXIEgsISk3V2WKaYRthHr94NuNaKBgTuw1Foi1FKkJpCBV+rOSgBhX\
     oTkG4hcMhlri6WHiTQGIzSo1Ku9r8WK74zBYGYhfDdB40DioIybKJQ/tRCukoANOnGIRqSPMkp1fTiTIQcmuETDLrLq/\
     wv2w1R3zgB9lXbEaK/cQV5h/Ccw4DS/240XoJH0C+oebQAC/gEiAdPvoSJTDvX95NlBN2ze48Rlm3DHzWz2t8DcNjLfh\
     fjDdevm5xhukQtJU26OnCK1+h6YoapDvVAodSY38KgadcM/cMOHLyIvZmHPVBVXsapVYlDiAjLvE7otHRm8gvP40gMuo\
     0KyjGb5eBBjy807T1rNTLwahNRT5dnfwlZEH2Q7QdfIPv3KbZOCXL6X+44TLeItx5XganADZOLsgEwMQBmNvIAVPLUOV\
     QNgsvVvGvt6fviYR2glQCxL32PS3mRt44RducjXSo1dXy6fE6bcmqGR72Anlz4S1zcefyVT7d2BzZREdKBOKk3RrtqEP\
     jTpkczF0GC4nOJuYW4q4kLL7YKqHMhrsaYvEe3zdR+bk4UdF7IT/u2cIKkxzYur9loRUIXYONYRwQMMH+h5fwkOpfYxP\
     XpQTKblmRIrppFo39mBwBAoWWO6cU479nv/bnDcNJgGMR5nMLZJ7A3rqMvtaIEhV6H6Ha7yTjJIuNNA/ZTLaCOlmWxPF\
     6dxpaLT/j9Wpa/w/i0Qp5VCrvKPX20Gy0vd2Ap9Rld26AO86Ubo6B8D/C1NgKLBgMmZzwohCbyHt6g47oLUnJsqXRCw2\
     kEYmoTCVjTPR2WX10Sc9JrVktfCCq9FUuWuLikvX9zCCBUEGCSqGSIb3DQEHAaCCBTIEggUuMIIFKjCCBSYGCyqGSIb3\
     DQEMCgECoIIE7jCCBOowHAYKKoZIhvcNAQwBAzAOBAhxbjdU21LwewICCAAEggTIl0wjyGNfGvRj6FSO1fJa3B5bmSd2\
     AtTFTMQx2mI63v/9Q6tR1sbXfycp7CeVO+1EI5feFwSihS5tPD8Xkn80sYwzDZ6mtyGWIYyj90rJs3Wxe/FqXEcSSxIb\
     SY4FBTKlqS54OnK/hJwBsXZg8iERX33qrMS+0X6kglLoIABfPa019amQlnHhITZH9FBUupfZ819phE5H4DamstlslnH0\
     A8I4eTK7tpKPdGD8xF7QKbVgcHR59QHVVcxscF9L3bqMZLC2lroAFlAlqKoBzbC2yvKnaj6iNbprafJOtbtHEKhTqrIx\
     Da0yk+/jEX3qhM/Sfsab1xwY6iqmfqRUUjLzZWHEzrHGpWdPiS0LwastRaioiLCY875eV1nApU+rY3nAo8scl+591F+3\
     sDyjt6kI3R8WcC2BgEgBCmczgJGukFRHPYHIa/S8SQkQUc5R5sCSR63CWU+NsQ2eBKRp5OqS10sl4jjxqUOUVH/Y1O/E\
     AXW/wTuWs2J6yoywO7dKCFd9mGL7RDcZrCLeDJIQuYSX9+4CRBZ3T4iNikePgvjKTcuFj5hvBfY+MlBVaogpPEgN/eTe\
     BIsFVrkL5aDhyoJIoFdPURJITUKOPy8ivb6sV5N2DQ30rtDCLANedEPV/vhi48gzNWJAOhqtcPCA01zPb1t20UxjMc3b\
     eydWLkwvNVCUaOgzcRcfcjb1MYP/YXEUZSS+366q1gxQgxsl4GlES6Q2dniNvDS+VNJnR0kssfJeqSYF8Q7gn7AbjXr0\
     Y/C5JcekoR59zyyMpTMtX/kZUvAi2/QubazmAhW2UueYoJxLQxr+ej2WmFJiQIGKaWc1GSg0nuGuPAUr+mL7+e202gk9\
     XoQaJ+9gywMLDKbvTBxTgVCovhBDSocWYruI/PlGZ2pF7CgYbTqfv02bQNryZ/cfJZy4rFC+GV/Whv4yqLuPjXayRSWt\
     Xo0/PcypImczKqERmbi8UYAymY6DNddEhnmFco5pIvQtwW/5XqDtCkQTQBCPr6FB7qlOQRc72shPHQFvDhGhrsyAfRSZ\
     xcTfUmdM6OFVdmMsyk5ooowaKNAtS6ZgRRn6xcQBvnlZdLIs/JeEa4g/m9FDv5mDJ1MaZxBp/tz5Wq0F39RrU80POCVH\
     M3DoknBNZlXjaDhQvVA5JDL7M8ouaGl9Ar/fHJ0BjBJxWH2TSqiCf0vpOAiDH1EMEZogmmwFKvaxNZlbpHuOZdi+MvjP\
     htiQrBLYHi5AFPzE4TBtWYmEFZKnfRuE3BicEqujuSSCSvFufuQsKL0vZqOeXQD4tkXLKO2GqFdSzAK1Bt9v5u2kmXvH\
     PFipON32HnC6uDNa2aOMcCLIUrZu4Lmkmg4HrQQNp2kOgI+Ytv+rC+jMhKcfPq0zE48+4PO7J66YmqrkwFOxY7MSJU9R\
     4cVtojEMYPcd59NptS1ezwcl+T7F40aB1XuMPkOhShae0QsbAzoD2QyCNfNcsDkP3vwFJdoUptcrak+187mnJJf+FAl0\
     f2urELNKHcMEdPGnPYlGdHFrvYqxMflefvzJpPL7dYD2O+XP0qMqjQqUBV7CRUfSnyqZJbQ0AjUNxIUCo9eKObm4S+S1\
     +B0UhCd/S8zd38StCkDOBu5YVC6T8d9baNwxCxZZMSUwIwYJKoZIhvcNAQkVMRYEFByVyfQ67ghFNuckYMYmTxAPPrUj\
     MEEwMTANBglghkgBZQMEAgEFAAQgSnsBNrY7qw2/qMiPUmaLs5+p2mj+yIHo73Cd/xxO5vEECDruttd5BktEAgIIAA==";

/// Far from now on any clock.
const FUTURE: i64 = 4_102_444_800;

#[track_caller]
fn assert_code(reply: &Reply, status: u16, code: &str) -> String {
    let (found_status, found, message) = reply.error();
    assert_eq!((found_status, found.as_str()), (status, code), "{message}");
    message
}

#[tokio::test]
async fn life_of_a_keyset() {
    let session = default_session().await;
    let created = session
        .post("/keySets", json!({"id": "X", "usage": "sig"}))
        .await
        .expect(201);
    assert_eq!(
        created.header("location"),
        "/trustFramework/keySets('B2C_1A_X')"
    );
    assert_eq!(created.json()["id"], "B2C_1A_X");
    assert_eq!(created.json()["keys"], json!([]));
    let message = assert_code(
        &session
            .post("/keySets", json!({"id": "B2C_1A_x", "keys": null}))
            .await,
        400,
        "AADB2C95028",
    );
    assert_eq!(
        message,
        "Can't create trustframework key set with name 'B2C_1A_X' because it already exists."
    );
    let list = session.get("/keySets").await.expect(200).json();
    assert_eq!(list["value"], json!([{"id": "B2C_1A_X", "keys": []}]));
    assert_eq!(session.get("/keySets/$count").await.expect(200).text, "1");
    for path in ["/keySets/b2c_1a_X", "/keySets('B2C_1A_X')"] {
        assert_eq!(session.get(path).await.expect(200).json()["id"], "B2C_1A_X");
    }
    session
        .call("DELETE", "/keySets/B2C_1A_X")
        .await
        .expect(204);
    let message = assert_code(&session.get("/keySets/B2C_1A_X").await, 400, "AADB2C90073");
    assert_eq!(
        message,
        "KeyContainer with 'id': 'B2C_1A_X' cannot be found in the directory \
         'contoso.onmicrosoft.com'."
    );
    assert_code(
        &session.call("DELETE", "/keySets/B2C_1A_X").await,
        400,
        "AADB2C90073",
    );
    assert_code(
        &session.get("/keySets/B2C_1A_X/getActiveKey").await,
        400,
        "AADB2C90073",
    );
}

#[tokio::test]
async fn creation_takes_nothing_but_an_id() {
    let session = default_session().await;
    let reply = session
        .post(
            "/keySets",
            json!({"id": "X", "keys": [{"k": "x", "use": "sig"}]}),
        )
        .await;
    let message = assert_code(&reply, 400, "AADB2C");
    assert_eq!(
        message,
        "The 'keySet' field is invalid in request. Please check the request body and parameters."
    );
    for body in [json!({}), json!({"id": null}), json!({"id": " "})] {
        assert_code(&session.post("/keySets", body).await, 400, "AADB2C90253");
    }
    assert_code(
        &session.post("/keySets", json!({"id": 5})).await,
        400,
        "AADB2C95034",
    );
    assert_code(
        &session.post("/keySets", json!([])).await,
        400,
        "AADB2C95026",
    );
    assert_code(
        &session.post("/keySets", json!({"id": "X.bak"})).await,
        400,
        "AADB2C95027",
    );
    assert!(session.emulator.store().keysets(TENANT).is_empty());
}

#[tokio::test]
async fn generated_keys_append_and_show_their_public_half() {
    let session = session(EmulatorOptions::default()).await;
    session.keyset("K").await;
    let path = "/keySets/B2C_1A_K/generateKey";
    let key = session
        .post(path, json!({"use": "sig", "kty": "rsa"}))
        .await
        .expect(200)
        .json();
    assert!(
        key["@odata.context"]
            .as_str()
            .unwrap()
            .ends_with("#microsoft.graph.trustFrameworkKey")
    );
    assert_eq!(
        (&key["kty"], &key["use"], &key["e"]),
        (&json!("RSA"), &json!("sig"), &json!("AQAB"))
    );
    assert_eq!(
        key["n"].as_str().unwrap().len(),
        342,
        "2048 bits in base64url"
    );
    for name in ["k", "d", "p", "q", "dp", "dq", "qi", "nbf", "exp"] {
        assert!(key[name].is_null(), "{name}");
    }
    let body = json!({"use": "SIG", "kty": "RSA", "nbf": FUTURE, "exp": FUTURE + 5});
    let second = session
        .post("/keySets('B2C_1A_K')/microsoft.graph.generateKey", body)
        .await;
    let second = second.expect(200).json();
    assert_eq!(
        (&second["nbf"], &second["exp"]),
        (&json!(FUTURE), &json!(FUTURE + 5))
    );
    assert_ne!(key["n"], second["n"]);
    let keys = session.get("/keySets/B2C_1A_K").await.json()["keys"].clone();
    assert_eq!(keys.as_array().unwrap().len(), 2);
    assert_eq!(keys[0]["kid"], key["kid"]);
    for path in [
        "/keySets/B2C_1A_K/getActiveKey",
        "/keySets/B2C_1A_K/getActiveKey()",
    ] {
        assert_eq!(
            session.get(path).await.expect(200).json()["kid"],
            key["kid"]
        );
    }
    assert_eq!(
        session
            .emulator
            .store()
            .active_key(TENANT, "B2C_1A_K")
            .unwrap()
            .kid,
        key["kid"].as_str().unwrap()
    );
}

#[tokio::test]
async fn secrets_go_in_and_never_come_out() {
    let session = default_session().await;
    session.keyset("K").await;
    let body = json!({"use": "sig", "k": "hunter2-very-secret", "nbf": null, "exp": null});
    let key = session
        .post("/keySets/B2C_1A_K/uploadSecret", body)
        .await
        .expect(200);
    assert_eq!(key.json()["kty"], "OCT");
    session
        .post(
            "/keySets/B2C_1A_K/uploadSecret",
            json!({"use": "sig", "k": "hunter2-b"}),
        )
        .await
        .expect(200);
    session
        .post(
            "/keySets/B2C_1A_K/generateKey",
            json!({"use": "sig", "kty": "oct"}),
        )
        .await
        .expect(200);
    for path in [
        "/keySets",
        "/keySets/B2C_1A_K",
        "/keySets/B2C_1A_K/keys_v2",
        "/keySets/B2C_1A_K/getActiveKey",
    ] {
        let reply = session.get(path).await.expect(200);
        assert!(!reply.text.contains("hunter2"), "{path}");
    }
    assert!(!key.text.contains("hunter2"));
    assert_eq!(
        session
            .emulator
            .store()
            .keyset(TENANT, "B2C_1A_K")
            .unwrap()
            .keys
            .len(),
        3
    );
    assert!(!format!("{:?}", session.emulator).contains("hunter2"));
}

#[tokio::test]
async fn refusals_of_the_key_actions() {
    let session = default_session().await;
    session.keyset("Rsa").await;
    session.keyset("Oct").await;
    let rsa = "/keySets/B2C_1A_Rsa/generateKey";
    let oct = "/keySets/B2C_1A_Oct/uploadSecret";
    session
        .post(rsa, json!({"use": "sig", "kty": "RSA"}))
        .await
        .expect(200);
    session
        .post(oct, json!({"use": "enc", "k": "x"}))
        .await
        .expect(200);
    let cases = [
        (
            rsa,
            json!({"use": "sig", "kty": "oct"}),
            "AADB2C95032",
            "One can't mix RSA and Oct types in one key set.",
        ),
        (
            oct,
            json!({"use": "sig", "k": "x"}),
            "AADB2C95042",
            "One can't mix signature and encryption usage in one key set.",
        ),
        (
            rsa,
            json!({"use": "enc", "kty": "RSA"}),
            "AADB2C95042",
            "One can't mix signature and encryption usage in one key set.",
        ),
        (
            "/keySets/B2C_1A_Rsa/uploadSecret",
            json!({"use": "sig", "k": "x"}),
            "AADB2C95032",
            "One can't mix RSA and Oct types in one key set.",
        ),
        (
            rsa,
            json!({"use": "sig", "kty": "EC"}),
            "AADB2C95031",
            "Bad kty parameter 'EC' for the trustframework key. Must be RSA or oct.",
        ),
        (
            rsa,
            json!({"use": "sig"}),
            "AADB2C95030",
            "Missing kty parameter for the trustframework key.",
        ),
        (
            rsa,
            json!({"use": "signature", "kty": "RSA"}),
            "AADB2C95033",
            "Bad use parameter 'signature' for the trustframework key.",
        ),
        (
            oct,
            json!({"k": "x"}),
            "AADB2C95033",
            "Bad use parameter '' for the trustframework key.",
        ),
        (
            oct,
            json!({"use": "enc"}),
            "AADB2C90253",
            "The trustframework keyset parameter 'k' is missing",
        ),
        (
            oct,
            json!({"use": "enc", "k": ""}),
            "AADB2C90253",
            "The trustframework keyset parameter 'k' is missing",
        ),
        (
            oct,
            json!({"use": "enc", "k": 5}),
            "AADB2C95034",
            "The presented TrustFrameworkKey entity is of the wrong format",
        ),
        (
            oct,
            json!({"use": "enc", "k": "x", "exp": "soon"}),
            "AADB2C95034",
            "The presented TrustFrameworkKey entity is of the wrong format",
        ),
        (
            oct,
            json!({"use": "enc", "k": "x", "exp": 1.5}),
            "AADB2C95034",
            "The presented TrustFrameworkKey entity is of the wrong format",
        ),
        (
            oct,
            json!({"use": "enc", "k": "x", "exp": 5}),
            "AADB2C90214",
            "The expiry date for the key container in tenant 'contoso.onmicrosoft.com' with storageReferenceId 'B2C_1A_Oct' is in the past. Passed date :'1970-01-01T00:00:05'.",
        ),
        (
            "/keySets/B2C_1A_None/uploadSecret",
            json!({"use": "sig", "k": "x"}),
            "AADB2C95052",
            "The trustframework key set with id 'B2C_1A_None' in tenant 'contoso.onmicrosoft.com' is not created. Please use 'Create api' to create the key set first.",
        ),
        (
            "/keySets/Oct/uploadSecret",
            json!({"use": "enc", "k": "x"}),
            "AADB2C95052",
            "The trustframework key set with id 'Oct' in tenant 'contoso.onmicrosoft.com' is not created. Please use 'Create api' to create the key set first.",
        ),
    ];
    for (path, body, code, expected) in cases {
        let message = assert_code(&session.post(path, body.clone()).await, 400, code);
        assert_eq!(message, expected, "{body}");
    }
    let broken = send(session.request("POST", oct).body("{\"use\":")).await;
    assert_code(&broken, 400, "AADB2C95026");
    // A published client sends this and works; so do epochs in strings.
    let trailing = send(
        session
            .request("POST", rsa)
            .body(r#"{"use": "sig","kty": "RSA", }"#),
    )
    .await;
    trailing.expect(200);
    session
        .post(
            oct,
            json!({"use": "enc", "k": "x", "exp": FUTURE.to_string()}),
        )
        .await
        .expect(200);
    let counts = |id| {
        session
            .emulator
            .store()
            .keyset(TENANT, id)
            .unwrap()
            .keys
            .len()
    };
    assert_eq!((counts("B2C_1A_Rsa"), counts("B2C_1A_Oct")), (2, 2));
}

#[tokio::test]
async fn certificates() {
    let session = default_session().await;
    session.keyset("C").await;
    let path = "/keySets/B2C_1A_C/uploadCertificate";
    let key = session
        .post(path, json!({"key": CERTIFICATE}))
        .await
        .expect(200)
        .json();
    assert_eq!(key["x5c"], json!([CERTIFICATE]));
    assert_eq!(key["x5t"], THUMBPRINT);
    assert_eq!(
        (&key["kty"], &key["use"], &key["e"]),
        (&json!("RSA"), &json!("sig"), &json!("AQAB"))
    );
    assert!(
        key["n"].as_str().unwrap().starts_with("y1J1snma8r"),
        "{key}"
    );
    assert_eq!(key["exp"], 2_425_952_324_i64);
    for (body, code) in [
        (json!({}), "AADB2C90253"),
        (json!({"key": ""}), "AADB2C90253"),
        (json!({"key": 1}), "AADB2C95034"),
        (json!({"key": "!!"}), "AADB2C90215"),
        (json!({"key": "AAAA"}), "AADB2C90215"),
        (json!({"key": &CERTIFICATE[..400]}), "AADB2C90215"),
        (json!({"key": EC_CERTIFICATE}), "AADB2C90215"),
        (json!({"key": PFX_OLD}), "AADB2C90215"),
    ] {
        assert_code(&session.post(path, body).await, 400, code);
    }
    assert_eq!(
        session
            .emulator
            .store()
            .keyset(TENANT, "B2C_1A_C")
            .unwrap()
            .keys
            .len(),
        1
    );
}

#[tokio::test]
async fn pkcs12() {
    let session = default_session().await;
    session.keyset("P").await;
    let path = "/keySets/B2C_1A_P/uploadPkcs12";
    let upload =
        |key: &str, password: &str| session.post(path, json!({"key": key, "password": password}));
    let key = upload(PFX_OLD, PASSWORD).await.expect(200).json();
    assert_eq!((&key["kty"], &key["use"]), (&json!("RSA"), &json!("sig")));
    let key = upload(PFX_OPEN, PASSWORD).await.expect(200).json();
    assert_eq!(key["x5t"], THUMBPRINT);
    for (key, password) in [
        (PFX_OLD, "wrong"),
        (PFX_OLD, ""),
        (PFX_AES, PASSWORD),
        (PFX_SHA256, PASSWORD),
    ] {
        let message = assert_code(&upload(key, password).await, 400, "AADB2C90213");
        assert_eq!(
            message,
            "The certificate password provided in request is incorrect."
        );
    }
    for key in [CERTIFICATE, "AAAA", &PFX_OLD[..800], "*"] {
        assert_code(&upload(key, PASSWORD).await, 400, "AADB2C90215");
    }
    assert_eq!(
        session
            .emulator
            .store()
            .keyset(TENANT, "B2C_1A_P")
            .unwrap()
            .keys
            .len(),
        2
    );
}

#[tokio::test]
async fn put_replaces_only_with_keys_that_are_complete() {
    let session = default_session().await;
    session.keyset("K").await;
    let path = "/keySets/B2C_1A_K";
    session
        .post(
            &format!("{path}/generateKey"),
            json!({"use": "sig", "kty": "RSA"}),
        )
        .await
        .expect(200);
    let read = session.get(path).await.json();
    let message = assert_code(&session.json("PUT", path, read).await, 400, "AADB2C95059");
    assert_eq!(
        message,
        "One of the keys in the payload has 'kid' which is not empty."
    );
    for (keys, code) in [
        (json!([{"use": "sig", "k": "YQ"}]), "AADB2C95037"),
        (json!([{"kty": "RSA", "use": "sig"}]), "AADB2C95039"),
        (
            json!([{"kty": "oct", "use": "sig", "k": "not base64url!"}]),
            "AADB2C95029",
        ),
        (
            json!([{"kty": "oct", "use": "sig", "k": "YQ"}, {"kty": "RSA", "use": "sig", "n": "a", "e": "b"}]),
            "AADB2C95032",
        ),
        (
            json!([{"kty": "oct", "use": "sig", "k": "YQ"}, {"kty": "oct", "use": "enc", "k": "YQ"}]),
            "AADB2C95042",
        ),
        (json!([5]), "AADB2C95034"),
        (json!(null), "AADB2C90253"),
    ] {
        assert_code(
            &session.json("PUT", path, json!({"keys": keys})).await,
            400,
            code,
        );
    }
    let body = json!({"keys": [{"kty": "oct", "use": "sig", "k": "YQ", "kid": ""}]});
    let replaced = session
        .json("PUT", path, body.clone())
        .await
        .expect(200)
        .json();
    assert_eq!(replaced["keys"].as_array().unwrap().len(), 1);
    assert_eq!(replaced["keys"][0]["kty"], "OCT");
    assert_code(
        &session.json("PUT", "/keySets/B2C_1A_Other", body).await,
        400,
        "AADB2C90073",
    );
    // The metadata's PATCH is not there.
    let patch = session.json("PATCH", path, json!({})).await.expect(404);
    assert!(
        patch.json()["message"]
            .as_str()
            .unwrap()
            .starts_with("No HTTP resource was found")
    );
}

#[tokio::test]
async fn keys_can_be_disabled_one_by_one() {
    let session = default_session().await;
    session.keyset("K").await;
    let make = || {
        session.post(
            "/keySets/B2C_1A_K/uploadSecret",
            json!({"use": "sig", "k": "x"}),
        )
    };
    let first = make().await.expect(200).json()["kid"]
        .as_str()
        .unwrap()
        .to_owned();
    let second = make().await.expect(200).json()["kid"]
        .as_str()
        .unwrap()
        .to_owned();
    let list = session
        .get("/keySets/B2C_1A_K/keys_v2")
        .await
        .expect(200)
        .json();
    assert_eq!(list["value"][0]["status"], "enabled");
    assert_eq!(
        session
            .get("/keySets/B2C_1A_K/keys_v2/$count")
            .await
            .expect(200)
            .text,
        "2"
    );
    let one = format!("/keySets/B2C_1A_K/keys_v2/{first}");
    session
        .json("PATCH", &one, json!({"status": "disabled"}))
        .await
        .expect(204);
    assert_eq!(
        session.get(&one).await.expect(200).json()["status"],
        "disabled"
    );
    let active = session
        .get("/keySets/B2C_1A_K/getActiveKey")
        .await
        .expect(200)
        .json();
    assert_eq!(active["kid"], second.as_str());
    assert_code(
        &session.json("PATCH", &one, json!({"status": "gone"})).await,
        400,
        "AADB2C95034",
    );
    assert_code(
        &session.json("PATCH", &one, json!({"nbf": 5})).await,
        400,
        "AADB2C99014",
    );
    assert_code(
        &session.get("/keySets/B2C_1A_K/keys_v2/nope").await,
        400,
        "AADB2C90073",
    );
    let other = format!("/keySets('B2C_1A_K')/keys_v2('{second}')");
    session
        .json("PATCH", &other, json!({"status": "disabled"}))
        .await
        .expect(204);
    assert_code(
        &session.get("/keySets/B2C_1A_K/getActiveKey").await,
        400,
        "AADB2C90019",
    );
    session.call("DELETE", &one).await.expect(404);
}
