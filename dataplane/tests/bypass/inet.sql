-- trick: packed into an address
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select ('::' || substr(pan, 1, 4) || ':' || substr(pan, 5, 4) || ':' || substr(pan, 9, 4) || ':' || substr(pan, 13))::inet from cards where id = 1
