-- trick: an xml error
-- expect: masked
-- unlabelled: masked
-- decode: digits

select xmlparse(document '<a>' || pan || '</b>') from cards where id = 1
