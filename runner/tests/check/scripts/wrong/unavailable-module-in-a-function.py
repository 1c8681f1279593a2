# expect: 3:12 error unavailable-module ssl
def context():
    import ssl

    return ssl.create_default_context()


context()
