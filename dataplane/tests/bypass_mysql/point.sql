-- trick: a point, as bytes and as text
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

select point(pan_number, 0), st_astext(point(pan_number, 0)) from cards
