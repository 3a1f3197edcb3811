-- trick: quoted, qualified names
-- expect: masked
-- unlabelled: masked
-- decode: digits

select "cards"."pan" as "select" from "public"."cards"
