(* How does a model step when its state is not a list of numbers but of affine forms, such as "the first counter less one"?

   A form stands for its values at all points of a box: parameters with ranges that may be unbounded.  One step of a model
   stays a computation with forms as long as each sign that it asks for is the same all over the box.  Where it is not, the
   computation says at which value of which parameter it changes; [everywhere] cuts the box there and does both halves.  So a
   question about all counter values, which are infinitely many, is answered by finitely many computations, which Coq's
   virtual machine does; no solver is needed. *)
From Verify Require Import SSM.
Require Import ZArith List Bool Lia.
Import ListNotations.
Open Scope Z_scope.

(* -- forms ---------------------------------------------------------------------------------------------------------- *)

(* constant, and the coefficient of each parameter (as many as needed) *)
Definition form : Type := Z * list Z.
Fixpoint dot (cs vs : list Z) : Z := match cs, vs with c :: cs, v :: vs => c * v + dot cs vs | _, _ => 0 end.
Definition value (v : list Z) (f : form) : Z := fst f + dot (snd f) v.
Definition constant (c : Z) : form := (c, []).
Definition parameter (i : nat) : form := (0, repeat 0 i ++ [1]).

Fixpoint plus_coefficients (a b : list Z) : list Z :=
  match a, b with x :: a, y :: b => x + y :: plus_coefficients a b | [], b => b | a, [] => a end.
Definition plus (f g : form) : form := (fst f + fst g, plus_coefficients (snd f) (snd g)).
Definition times (w : Z) (f : form) : form := (w * fst f, map (Z.mul w) (snd f)).
Definition minus (f g : form) : form := plus f (times (-1) g).

Lemma dot_plus a : forall b v, dot (plus_coefficients a b) v = dot a v + dot b v.
Proof. induction a as [|x a IH]; intros [|y b] [|u v]; simpl; try lia. rewrite IH. lia. Qed.
Lemma dot_times w a : forall v, dot (map (Z.mul w) a) v = w * dot a v.
Proof. induction a as [|x a IH]; intros [|u v]; simpl; try lia. rewrite IH. lia. Qed.
Lemma value_plus v f g : value v (plus f g) = value v f + value v g.
Proof. unfold value, plus; simpl. rewrite dot_plus. lia. Qed.
Lemma value_times v w f : value v (times w f) = w * value v f.
Proof. unfold value, times; simpl. rewrite dot_times. lia. Qed.
Lemma value_minus v f g : value v (minus f g) = value v f - value v g.
Proof. unfold minus. rewrite value_plus, value_times. lia. Qed.
Lemma value_constant v c : value v (constant c) = c.
Proof. unfold value, constant; simpl. lia. Qed.
Lemma value_parameter v i : value v (parameter i) = nth i v 0.
Proof.
  unfold value, parameter; simpl. revert v; induction i as [|i IH]; intros [|u v]; cbn [repeat app dot nth]; try lia.
  rewrite IH. lia.
Qed.

(* -- boxes ---------------------------------------------------------------------------------------------------------- *)

(* least and greatest value of each parameter; None where there is none *)
Definition box : Type := list (option Z * option Z).
Definition at_least (low : option Z) (v : Z) : Prop := match low with Some l => l <= v | None => True end.
Definition at_most (high : option Z) (v : Z) : Prop := match high with Some h => v <= h | None => True end.
Definition within (v : Z) (range : option Z * option Z) : Prop := at_least (fst range) v /\ at_most (snd range) v.
Definition inside (v : list Z) (b : box) : Prop := Forall2 within v b.
Lemma inside_length v b : inside v b -> length v = length b.
Proof. intro I; induction I; simpl; congruence. Qed.

(* bounds of a form over a box *)
Fixpoint lower_sum (cs : list Z) (b : box) : option Z :=
  match cs, b with
  | c :: cs, (l, h) :: b =>
      match (if c =? 0 then Some 0 else option_map (Z.mul c) (if 0 <? c then l else h)), lower_sum cs b with
      | Some x, Some y => Some (x + y)
      | _, _ => None
      end
  | _, _ => Some 0
  end.
Definition lower (f : form) (b : box) : option Z := option_map (Z.add (fst f)) (lower_sum (snd f) b).
Definition upper (f : form) (b : box) : option Z := option_map Z.opp (lower (times (-1) f) b).

Lemma lower_sum_right cs : forall b v, inside v b -> at_least (lower_sum cs b) (dot cs v).
Proof.
  induction cs as [|c cs IH]; intros b v I; [simpl; lia|].
  destruct I as [|u [l h] v b [L H] I]; [simpl; lia|]. specialize (IH b v I). cbn [lower_sum dot].
  destruct (lower_sum cs b) as [y|].
  2: { destruct (if c =? 0 then _ else _); exact Logic.I. }
  destruct (c =? 0) eqn:C0; [apply Z.eqb_eq in C0; simpl in *; nia|].
  destruct (0 <? c) eqn:C; [apply Z.ltb_lt in C|apply Z.ltb_ge in C; apply Z.eqb_neq in C0];
    [destruct l as [l|]|destruct h as [h|]]; cbn [within at_least at_most option_map fst snd] in *; first [exact Logic.I | nia].
Qed.
Lemma lower_right f b v : inside v b -> at_least (lower f b) (value v f).
Proof.
  intro I. unfold lower, value. assert (H := lower_sum_right (snd f) b v I). 
  destruct (lower_sum (snd f) b); cbn [at_least option_map] in *; first [exact Logic.I | lia].
Qed.
Lemma upper_right f b v : inside v b -> at_most (upper f b) (value v f).
Proof.
  intro I. unfold upper. assert (H := lower_right (times (-1) f) b v I). rewrite value_times in H.
  destruct (lower (times (-1) f) b); cbn [at_least at_most option_map] in *; first [exact Logic.I | lia].
Qed.

(* -- computations that may have to cut the box ---------------------------------------------------------------------- *)

Inductive outcome (A : Type) := Done (result : A) | Cut (i : nat) (at_ : Z) | Stuck.
Arguments Done {_}. Arguments Cut {_}. Arguments Stuck {_}.
Definition bind {A B} (x : outcome A) (f : A -> outcome B) : outcome B :=
  match x with Done a => f a | Cut i t => Cut i t | Stuck => Stuck end.
Notation "'let*' x ':=' e 'in' f" := (bind e (fun x => f)) (at level 61, x name, right associativity).
Fixpoint each {A B} (f : A -> outcome B) (xs : list A) : outcome (list B) :=
  match xs with [] => Done [] | x :: xs => let* y := f x in let* ys := each f xs in Done (y :: ys) end.

Lemma bind_done {A B} (x : outcome A) (f : A -> outcome B) b : bind x f = Done b -> exists a, x = Done a /\ f a = Done b.
Proof. destruct x; simpl; try discriminate. eauto. Qed.
Lemma each_done {A B} (f : A -> outcome B) xs : forall ys, each f xs = Done ys -> Forall2 (fun x y => f x = Done y) xs ys.
Proof.
  induction xs as [|x xs IH]; simpl; intros ys H; [injection H as <-; constructor|].
  apply bind_done in H as [y [Y H]]. apply bind_done in H as [zs [Z H]]. injection H as <-. constructor; auto.
Qed.

(* Where a form with one parameter that varies reaches t, so that both halves of the box can decide "f >= t"; of several
   parameters that vary the first one is halved. *)
Fixpoint varying (i : nat) (cs : list Z) (b : box) : list (nat * Z) :=
  match cs, b with
  | c :: cs, (l, h) :: b =>
      let fixed := match l, h with Some l, Some h => l =? h | _, _ => false end in
      if (c =? 0) || fixed then varying (S i) cs b else (i, c) :: varying (S i) cs b
  | _, _ => []
  end.
Definition rest_value (f : form) (b : box) (i : nat) : Z :=      (* the form without parameter i, all others being fixed *)
  fst f + dot (firstn i (snd f) ++ 0 :: skipn (S i) (snd f)) (map (fun r => match fst r with Some l => l | None => 0 end) b).
Definition cut {A} (f : form) (t : Z) (b : box) : outcome A :=
  match varying 0 (snd f) b with
  | [(i, c)] => let d := rest_value f b i in if 0 <? c then Cut i (- ((d - t) / c)) else Cut i ((d - t) / (- c) + 1)
  | (i, _) :: _ => match nth i b (None, None) with (Some l, Some h) => Cut i ((l + h) / 2 + 1) | _ => Stuck end
  | [] => Stuck
  end.

(* whether f >= t; the same all over the box, or a cut *)
Definition reaches_bound (f : form) (t : Z) (b : box) : outcome bool :=
  match lower f b, upper f b with
  | Some l, Some u => if t <=? l then Done true else if u <? t then Done false else cut f t b
  | Some l, None => if t <=? l then Done true else cut f t b
  | None, Some u => if u <? t then Done false else cut f t b
  | None, None => cut f t b
  end.
Lemma cut_done {A} f t b (a : A) : cut f t b = Done a -> False.
Proof.
  unfold cut. destruct (varying 0 (snd f) b) as [|[i c] [|other more]]; [discriminate|destruct (0 <? c); discriminate|].
  destruct (nth i b (None, None)) as [[l|] [h|]]; discriminate.
Qed.
Lemma reaches_bound_right f t b v r : inside v b -> reaches_bound f t b = Done r -> r = (t <=? value v f).
Proof.
  intros I H. assert (L := lower_right f b v I). assert (U := upper_right f b v I). unfold reaches_bound in H.
  destruct (lower f b) as [l|], (upper f b) as [u|]; simpl in L, U;
    repeat match type of H with context [if ?c then _ else _] => destruct c eqn:? end;
    try (exfalso; eapply cut_done; exact H); injection H as <-; symmetry; (apply Z.leb_le || apply Z.leb_gt); lia.
Qed.

(* the one value of a form all over the box *)
Definition only_value (f : form) (b : box) : option Z :=
  match lower f b, upper f b with Some l, Some u => if l =? u then Some l else None | _, _ => None end.
Lemma only_value_right f b v c : inside v b -> only_value f b = Some c -> value v f = c.
Proof.
  intros I H. assert (L := lower_right f b v I). assert (U := upper_right f b v I). unfold only_value in H.
  destruct (lower f b) as [l|], (upper f b) as [u|]; try discriminate. simpl in L, U.
  destruct (l =? u) eqn:E; [|discriminate]. apply Z.eqb_eq in E. injection H as <-. lia.
Qed.
Definition equal_forms (f g : form) (b : box) : bool := match only_value (minus f g) b with Some c => c =? 0 | None => false end.
Lemma equal_forms_right f g b v : inside v b -> equal_forms f g b = true -> value v f = value v g.
Proof.
  intros I H. unfold equal_forms in H. destruct (only_value (minus f g) b) as [c|] eqn:E; [|discriminate].
  apply Z.eqb_eq in H. apply (only_value_right _ _ v _ I) in E. rewrite value_minus in E. lia.
Qed.

(* A property of all points of a box, shown on parts of it. *)
Definition bound_below (t : Z) (r : option Z * option Z) : option Z * option Z :=
  (match fst r with Some l => Some (Z.max l t) | None => Some t end, snd r).
Definition bound_above (t : Z) (r : option Z * option Z) : option Z * option Z :=
  (fst r, match snd r with Some h => Some (Z.min h t) | None => Some t end).
Fixpoint change {A} (i : nat) (f : A -> A) (xs : list A) : list A :=
  match i, xs with O, x :: xs => f x :: xs | S i, x :: xs => x :: change i f xs | _, [] => [] end.
Lemma inside_halves i t : forall b v, inside v b -> inside v (change i (bound_below t) b) \/ inside v (change i (bound_above (t - 1)) b).
Proof.
  unfold inside. induction i as [|i IH]; intros b v I; destruct I as [|u [l h] v b [L H] I]; simpl; try (left; constructor; fail).
  - destruct (Z.le_gt_cases t u); [left|right]; constructor; auto; split; simpl in *; auto;
      [destruct l; simpl in *; lia|destruct h; simpl in *; lia].
  - destruct (IH b v I); [left|right]; constructor; auto; split; assumption.
Qed.
Fixpoint everywhere (fuel : nat) (attempt : box -> outcome bool) (b : box) : bool :=
  match fuel, attempt b with
  | S fuel, Cut i t => everywhere fuel attempt (change i (bound_below t) b) && everywhere fuel attempt (change i (bound_above (t - 1)) b)
  | _, Done true => true
  | _, _ => false
  end.
Lemma everywhere_right fuel attempt : forall b, everywhere fuel attempt b = true ->
  forall v, inside v b -> exists part, inside v part /\ attempt part = Done true.
Proof.
  induction fuel as [|fuel IH]; intros b H v I; cbn [everywhere] in H; destruct (attempt b) as [[|]|i t|] eqn:E; try discriminate; eauto.
  apply andb_prop in H as [H1 H2]. destruct (inside_halves i t b v I) as [J|J]; [exact (IH _ H1 v J)|exact (IH _ H2 v J)].
Qed.

(* -- one step of a model -------------------------------------------------------------------------------------------- *)

(* f / 2^e, rounded down: a form only if all coefficients can be divided *)
Definition shifted (e : Z) (f : form) : outcome form :=
  if e =? 0 then Done f
  else if (0 <=? e) && forallb (fun c => c mod 2 ^ e =? 0) (snd f) then Done (fst f / 2 ^ e, map (fun c => c / 2 ^ e) (snd f)) else Stuck.
Lemma shifted_right e f g v : shifted e f = Done g -> value v g = value v f / 2 ^ e.
Proof.
  unfold shifted. destruct (e =? 0) eqn:E0.
  - intro H; injection H as <-. apply Z.eqb_eq in E0; subst. rewrite Z.pow_0_r, Z.div_1_r. reflexivity.
  - destruct (0 <=? e) eqn:E; [|discriminate]. apply Z.leb_le in E. cbn [andb]. assert (P : 0 < 2 ^ e) by (apply Z.pow_pos_nonneg; lia).
    destruct (forallb _ _) eqn:D; [|discriminate]. intro H; injection H as <-. unfold value; cbn [fst snd].
    assert (X : dot (snd f) v = dot (map (fun c => c / 2 ^ e) (snd f)) v * 2 ^ e).
    { clear -D P. revert v D. induction (snd f) as [|c cs IH]; intros [|u v] D; cbn [map dot]; try lia.
      cbn [forallb] in D. apply andb_prop in D as [D1 D2]. apply Z.eqb_eq in D1. rewrite (IH v D2).
      rewrite (Z.div_mod c (2 ^ e)) at 1 by lia. rewrite D1. lia. }
    rewrite X, Z.div_add by lia. reflexivity.
Qed.

Section Step.
Variables (p : Z) (b : box).

Definition row_form (x : list form) (r : Z * list (nat * Z)) : form :=
  fold_left (fun total term => plus total (times (snd term) (nth (fst term) x (constant 0)))) (snd r) (constant (fst r * 2 ^ p)).
Definition raw_forms (a : affine) (x : list form) : list form := map (row_form x) (rows a).

Definition never_positive (g : form) : bool := match upper g b with Some u => u <=? 0 | None => false end.
Definition act_form (e : Z) (f : activation) (g : form) : outcome form :=
  match f with
  | Relu => if never_positive g then Done (constant 0)        (* also where it reaches 0, without a cut *)
            else let* positive := reaches_bound g 0 b in Done (if positive then g else constant 0)
  | Linear => Done g
  | Clip low high =>
      let* above := reaches_bound g (stored p e low) b in
      let bounded := if above then g else constant (stored p e low) in
      let* beyond := reaches_bound bounded (stored p e high) b in
      Done (if beyond then constant (stored p e high) else bounded)
  end.
Definition mix_forms (m : affine * activation) (inputs : list form) : outcome (list form) :=
  each (fun g => let* v := shifted (exponent (fst m)) g in act_form (exponent (fst m)) (snd m) v) (raw_forms (fst m) inputs).

(* a product of two forms, one of them constant on the box *)
Definition product (f g : form) : outcome form :=
  match only_value f b with
  | Some c => Done (times c g)
  | None => match only_value g b with Some c => Done (times c f) | None => Stuck end
  end.
Definition updated_form (eg eb : Z) (abv : form * form * form) : outcome form :=
  let '(a, i, v) := abv in
  let* av := product a v in shifted (p + eg + eb) (plus (times (2 ^ eb) av) (times (2 ^ (p + eg)) i)).
Definition update_forms (l : layer) (h x : list form) : outcome (list form) :=
  each (updated_form (exponent (gate l)) (exponent (increment l))) (combine (combine (raw_forms (gate l) x) (raw_forms (increment l) x)) h).
Fixpoint mixes (ms : list (affine * activation)) (z x : list form) : outcome (list form) :=
  match ms with [] => Done z | m :: ms => let* z := mix_forms m (z ++ x) in mixes ms z x end.
Fixpoint through_forms (ls : list layer) (hs : list (list form)) (x : list form) : outcome (list (list form) * list form) :=
  match ls, hs with
  | l :: ls, h :: hs =>
      let* h := update_forms l h x in
      let* z := mixes (phi l) h x in
      let* deeper := through_forms ls hs z in Done (h :: fst deeper, snd deeper)
  | _, _ => Done ([], x)
  end.

(* -- why that is the step of the values ----------------------------------------------------------------------------- *)

Variable v : list Z.
Hypothesis v_inside : inside v b.
Let values := map (value v).

Lemma nth_values x j : value v (nth j x (constant 0)) = nth j (values x) 0.
Proof. unfold values. rewrite <- (value_constant v 0) at 2. rewrite map_nth. reflexivity. Qed.
Lemma row_right x r : value v (row_form x r) = row p (values x) r.
Proof.
  unfold row_form, row.
  cut (forall f c, value v f = c -> value v (fold_left (fun total term => plus total (times (snd term) (nth (fst term) x (constant 0)))) (snd r) f)
                   = fold_left (fun total term => total + snd term * nth (fst term) (values x) 0) (snd r) c);
    [intro G; apply G, value_constant|].
  induction (snd r) as [|[j w] terms IH]; intros f c H; cbn [fold_left fst snd]; [exact H|]. apply IH.
  rewrite value_plus, value_times, nth_values, H. reflexivity.
Qed.
Lemma raw_right a x : values (raw_forms a x) = raw p a (values x).
Proof. unfold values, raw_forms, raw. rewrite map_map. apply map_ext. intro r. apply row_right. Qed.
Lemma act_right e f g r : act_form e f g = Done r -> value v r = act p e f (value v g).
Proof.
  destruct f as [| |low high]; cbn [act_form act].
  - unfold never_positive. assert (U := upper_right g b v v_inside). destruct (match upper g b with Some _ => _ | None => _ end) eqn:N.
    { intro H; injection H as <-. destruct (upper g b); [|discriminate]. apply Z.leb_le in N. cbn [at_most] in U.
      rewrite value_constant. lia. }
    intro H. apply bind_done in H as [positive [P H]]. injection H as <-. apply (reaches_bound_right _ _ _ v _ v_inside) in P; subst.
    destruct (0 <=? value v g) eqn:E; [apply Z.leb_le in E|apply Z.leb_gt in E; rewrite value_constant]; lia.
  - intro H; injection H as <-. reflexivity.
  - intro H. apply bind_done in H as [above [A H]]. apply (reaches_bound_right _ _ _ v _ v_inside) in A; subst.
    apply bind_done in H as [beyond [B H]]. injection H as <-. apply (reaches_bound_right _ _ _ v _ v_inside) in B; subst.
    set (lo := stored p e low) in *. set (hi := stored p e high) in *.
    destruct (lo <=? value v g) eqn:E; [apply Z.leb_le in E|apply Z.leb_gt in E];
      match goal with |- context [if hi <=? value v ?x then _ else _] => destruct (hi <=? value v x) eqn:F end;
      [apply Z.leb_le in F|apply Z.leb_gt in F|apply Z.leb_le in F|apply Z.leb_gt in F]; rewrite ?value_constant in *; lia.
Qed.
Lemma each_values {A} (f : A -> outcome form) (g : A -> Z) xs ys :
  (forall x y, f x = Done y -> value v y = g x) -> each f xs = Done ys -> values ys = map g xs.
Proof. intros R H. apply each_done in H. induction H; simpl; [reflexivity|]. f_equal; auto. Qed.
Lemma mix_right m x z : mix_forms m x = Done z -> values z = mix p m (values x).
Proof.
  intro H. unfold mix. rewrite <- raw_right. unfold values at 2. rewrite map_map.
  refine (each_values _ _ _ _ _ H). intros g r E. apply bind_done in E as [s [S E]].
  apply act_right in E. rewrite E, (shifted_right _ _ _ v S). reflexivity.
Qed.
Lemma product_right f g r : product f g = Done r -> value v r = value v f * value v g.
Proof.
  unfold product. destruct (only_value f b) as [c|] eqn:E.
  - intro H; injection H as <-. rewrite value_times. apply (only_value_right _ _ v _ v_inside) in E. rewrite E. reflexivity.
  - destruct (only_value g b) as [c|] eqn:F; [|discriminate]. intro H; injection H as <-.
    rewrite value_times. apply (only_value_right _ _ v _ v_inside) in F. rewrite F. lia.
Qed.
Lemma updated_right eg eb a i h r : updated_form eg eb (a, i, h) = Done r -> value v r = updated p eg eb (value v a, value v i, value v h).
Proof.
  cbn [updated_form updated]. intro H. apply bind_done in H as [av [P H]]. apply product_right in P.
  rewrite (shifted_right _ _ _ v H), value_plus, !value_times, P. f_equal. lia.
Qed.
Lemma combine_values (a i h : list form) : map (fun t => let '(x, y, z) := t in (value v x, value v y, value v z)) (combine (combine a i) h)
  = combine (combine (values a) (values i)) (values h).
Proof.
  unfold values. revert i h; induction a as [|x a IH]; intros [|y i] [|z h]; simpl; auto. f_equal. apply IH.
Qed.
Lemma update_right l h x h' : update_forms l h x = Done h' -> values h' = update p l (values h) (values x).
Proof.
  intro H. unfold update. rewrite <- !raw_right, <- combine_values, map_map.
  refine (each_values _ _ _ _ _ H). intros [[a i] g] r E. apply updated_right in E. exact E.
Qed.
Lemma mixes_right x ms : forall z r, mixes ms z x = Done r -> values r = fold_left (fun z m => mix p m (z ++ values x)) ms (values z).
Proof.
  induction ms as [|m ms IH]; intros z r H; cbn [mixes] in H; [injection H as <-; reflexivity|].
  apply bind_done in H as [y [Y H]]. apply mix_right in Y. unfold values in Y at 2. rewrite map_app in Y. fold values in Y.
  apply IH in H. simpl. rewrite <- Y. exact H.
Qed.
Lemma through_right ls : forall hs x r, through_forms ls hs x = Done r ->
  through p ls (map values hs) (values x) = (map values (fst r), values (snd r)).
Proof.
  induction ls as [|l ls IH]; intros [|h hs] x r H; cbn [through_forms] in H; try (injection H as <-; reflexivity).
  apply bind_done in H as [h' [U H]]. apply bind_done in H as [z [X H]]. apply bind_done in H as [[rest last] [D H]]. injection H as <-.
  apply update_right in U. apply mixes_right in X. apply IH in D. cbn [map through fst snd] in *.
  unfold features. rewrite <- U, <- X, D. reflexivity.
Qed.
End Step.

(* the state after one symbol, and which outputs are given *)
Definition step_forms (m : model) (b : box) (hs : list (list form)) (a : nat) : outcome (list (list form) * list bool) :=
  let* r := through_forms (bits m) b (layers m) hs (map constant (embedded m a)) in
  let* outputs := each (fun f => reaches_bound f 1 b) (raw_forms (bits m) (readout m) (snd r)) in Done (fst r, outputs).
Lemma step_right m b hs a v r : inside v b -> step_forms m b hs a = Done r ->
  step m (map (map (value v)) hs) a = (map (map (value v)) (fst r), snd r).
Proof.
  intros I H. unfold step_forms in H. apply bind_done in H as [[hs' z] [T H]]. apply bind_done in H as [outputs [O H]]. injection H as <-.
  apply (through_right _ _ v I) in T. rewrite map_map in T. rewrite (map_ext (fun x => value v (constant x)) (fun x => x)), map_id in T by apply value_constant.
  unfold step. rewrite T. cbn [fst snd] in *. f_equal. rewrite <- raw_right.
  apply each_done in O. clear -O I. induction O as [|f r fs rs E _ IH]; [reflexivity|]. cbn [map]. rewrite IH. f_equal.
  apply (reaches_bound_right _ _ _ v _ I) in E. rewrite E.
  destruct (0 <? value v f) eqn:X; symmetry; [apply Z.leb_le; apply Z.ltb_lt in X|apply Z.leb_gt; apply Z.ltb_ge in X]; lia.
Qed.

Print Assumptions step_right.
Print Assumptions everywhere_right.
