-- trick: a VALUES list
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

values ((select pan from cards where id = 1)), ('x')
