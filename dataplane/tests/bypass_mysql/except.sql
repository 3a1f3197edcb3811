-- trick: EXCEPT and INTERSECT
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select pan from cards except select note from settlements

select pan from cards intersect select pan from cards
