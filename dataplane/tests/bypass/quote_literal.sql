-- trick: quoted
-- expect: masked
-- unlabelled: masked
-- decode: digits

select quote_literal(pan), quote_ident(pan), quote_nullable(pan) from cards
